//! Connect sessions.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connect_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub customer_id: Uuid,
    pub token_digest: Vec<u8>,
    pub apps: String,
    pub connection_id: Option<Uuid>,
    pub return_url: Option<String>,
    pub status: String,
    pub result_connection_id: Option<Uuid>,
    pub error: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
