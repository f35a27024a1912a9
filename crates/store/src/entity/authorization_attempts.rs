//! Authorization attempts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_attempts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub session_id: Uuid,
    pub app_id: Uuid,
    pub connector_version: i32,
    pub state_digest: Vec<u8>,
    pub cookie_digest: Vec<u8>,
    pub verifier: Vec<u8>,
    pub variables: Option<String>,
    pub scopes: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub consumed_at: Option<i64>,
    pub code: Option<Vec<u8>>,
    pub completion_digest: Option<Vec<u8>>,
    pub code_expires_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
